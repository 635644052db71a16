/** Bytes that are in their file already, written by the thread that received them. They stand for a piece of a body. */
export class Landed {
  readonly length: number;

  constructor(length: number) {
    this.length = length;
  }
}
