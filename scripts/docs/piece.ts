/** A generated part of the documentation: a whole file, or the marked region `region` of a file that people write. */
export interface Piece {
  /** Path from the root. */
  readonly path: string;
  readonly region?: string;
  readonly content: string;
}

/** Makes its pieces from the source below `root`; the same source gives the same text. */
export type Generator = (root: string) => Promise<readonly Piece[]>;
