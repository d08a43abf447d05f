/** What is wrong with a value, as a clause: `must be a whole number from 1 to 64`. */
export class Problem {
  constructor(readonly clause: string) {}
}
