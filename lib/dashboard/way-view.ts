/**
 * Draws stations and the edges between them: beside each other where there is room, else below each other, as the style sheet says.
 */
import { el, keyed, setAttributes, setSign, setStyle, setText, sign } from './dom.js';
import { percentText } from './text.js';
import { pace, thickness, type Edge, type Station } from './way.js';

interface Leg {
  readonly root: HTMLLIElement;
  readonly edge: HTMLElement;
  readonly flow: HTMLElement;
  readonly labels: HTMLElement;
  readonly card: HTMLElement;
  readonly title: HTMLElement;
  readonly kind: HTMLElement;
  readonly state: HTMLElement;
  readonly stateSign: SVGSVGElement;
  readonly stateWord: HTMLElement;
  readonly figure: HTMLElement;
  readonly value: HTMLElement;
  readonly unit: HTMLElement;
  readonly share: HTMLElement;
  readonly shareBar: HTMLElement;
  readonly shareText: HTMLElement;
  readonly notes: HTMLElement;
  readonly end: HTMLElement;
}

/** @param list an `ol`. */
export function wayView(list: HTMLElement): (stations: readonly Station[]) => void {
  const draw = keyed<Station, Leg>(list, ({ id }) => id, makeLeg, updateLeg);
  return (stations) => {
    setAttributes(list, { 'data-length': stations.length > 6 ? 'long' : 'short' });
    draw(stations);
  };
}

function makeLeg(): Leg {
  const flow = el('span', { class: 'flow' });
  const labels = el('span', { class: 'labels' });
  const edge = el(
    'span',
    { class: 'edge' },
    el('span', { class: 'pipe', 'aria-hidden': 'true' }, flow),
    labels,
  );
  const title = el('strong', { class: 'title' });
  const kind = el('span', { class: 'kind' });
  const stateSign = sign('busy');
  const stateWord = el('span');
  const state = el('span', { class: 'state' }, stateSign, stateWord);
  const value = el('span', { class: 'value' });
  const unit = el('span', { class: 'unit' });
  const figure = el('span', { class: 'figure' }, value, ' ', unit);
  const shareBar = el('span', { class: 'fill' });
  const shareText = el('span');
  const share = el(
    'span',
    { class: 'share' },
    el('span', { class: 'bar', 'aria-hidden': 'true' }, shareBar),
    shareText,
  );
  const notes = el('span', { class: 'notes' });
  const end = el('span', { class: 'end' }, 'It stops here');
  const card = el('div', { class: 'station' }, end, title, kind, state, figure, share, notes);
  return {
    ...{ root: el('li', {}, edge, card), edge, flow, labels, card, title, kind, state, stateSign, stateWord },
    ...{ figure, value, unit, share, shareBar, shareText, notes, end },
  };
}

function updateLeg(leg: Leg, station: Station): void {
  const { id, title, kind, edge, state, figure, share, notes, isEnd = false, isFaint = false } = station;
  setAttributes(leg.card, {
    'data-id': id,
    'data-level': state?.level,
    'data-end': isEnd,
    'data-faint': isFaint,
  });
  setText(leg.title, title);
  leg.kind.hidden = kind === '';
  setText(leg.kind, kind);
  leg.state.hidden = state === undefined;
  if (state !== undefined) {
    setSign(leg.stateSign, state.level);
    setText(leg.stateWord, state.word);
  }
  leg.figure.hidden = figure === undefined;
  setText(leg.value, figure?.value ?? '');
  setText(leg.unit, figure?.unit ?? '');
  leg.share.hidden = share === undefined;
  if (share !== undefined) {
    setAttributes(leg.shareBar, { 'data-tier': share.tier });
    setStyle(
      leg.shareBar,
      'transform',
      `scaleX(${share.value > 0 ? Math.max(0.03, share.value).toFixed(3) : 0})`,
    );
    setText(leg.shareText, `${percentText(share.value)} of all`);
  }
  leg.end.hidden = !isEnd;
  setLines(leg.notes, notes);
  updateEdge(leg, id === 'client' ? undefined : edge);
}

function updateEdge({ edge: root, flow, labels }: Leg, edge: Edge | undefined): void {
  root.hidden = edge === undefined;
  if (edge === undefined) return;
  const perSecond = edge.perSecond ?? 0;
  setStyle(root, '--thick', `${thickness(perSecond).toFixed(1)}px`);
  setAttributes(root, { 'data-still': perSecond === 0, 'data-dashed': edge.isDashed === true });
  setLines(labels, edge.labels);
  const speed = pace(perSecond);
  // In place of another duration, which would make the dots jump. There is no animation where reduced motion is asked for.
  for (const animation of flow.getAnimations()) {
    if (Math.abs(animation.playbackRate - speed) > 0.02) animation.updatePlaybackRate(speed);
  }
}

function setLines(parent: HTMLElement, lines: readonly string[]): void {
  while (parent.children.length > lines.length) parent.lastElementChild?.remove();
  lines.forEach((line, place) => {
    const child = parent.children[place] ?? parent.appendChild(el('span'));
    setText(child, line);
  });
}
