/** Files of releases, as the server reads them. */
export interface Artifacts {
  /** Reads the whole file. Rejects with `artifact_unreadable` (EdgeError). */
  measure(path: string): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** The whole of a text file. Rejects with `artifact_unreadable`, also if it is larger, or not UTF-8. */
  readText(path: string, mostBytes: number): Promise<string>;
}
