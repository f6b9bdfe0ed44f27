/** The store cannot be opened: what is wrong, in one sentence, and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly fix: string

  constructor(message: string, fix: string, options?: ErrorOptions) {
    super(message, options)
    this.fix = fix
  }
}
