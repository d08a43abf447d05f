/**
 * A list as text, for a message that must stay short: its beginning, and how many more there are.
 *
 * @param most how many are shown.
 */
export function shortList(items: readonly string[], most: number, separator = ', '): string {
  const shown = items.slice(0, most).join(separator);
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}
