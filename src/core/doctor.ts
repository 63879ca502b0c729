/** The result of one check of the doctor. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed" | "off";
  readonly reason: string;
  /** What to do about it; absent when nothing needs doing. */
  readonly fix?: string;
}
