/** What the doctor found of one thing. */
export interface Finding {
  /** `control-plane`, `docker`, …; of a toolbox: its name, a slash, and what was looked at there. */
  readonly id: string
  /** `skipped`: it was not looked at, and the finding says why. */
  readonly state: 'ok' | 'failed' | 'skipped'
  /** One sentence, with the figures. */
  readonly finding: string
  /** The way out; only of what failed. */
  readonly fix?: string
}

export const ok = (id: string, finding: string): Finding => ({ id, state: 'ok', finding })
export const failed = (id: string, finding: string, fix: string): Finding => ({ id, state: 'failed', finding, fix })
export const skipped = (id: string, finding: string): Finding => ({ id, state: 'skipped', finding })
