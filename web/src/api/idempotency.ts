export interface Keyring {
  /** The same key for the same input until it is {@link Keyring.done}: a repetition is known as one. */
  keyFor(input: unknown): string
  /** The deed is done: the next one is another, even if it looks the same. */
  done(): void
}

export function createKeyring(newKey: () => string): Keyring {
  let current: { readonly input: string; readonly key: string } | undefined
  return {
    keyFor(input) {
      const text = JSON.stringify(input)
      if (current?.input !== text) current = { input: text, key: newKey() }
      return current.key
    },
    done() {
      current = undefined
    },
  }
}
