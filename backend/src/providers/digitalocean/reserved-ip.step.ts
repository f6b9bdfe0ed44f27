/** What is done about the reserved address of a toolbox whose droplet is another, decided from what DigitalOcean shows of it. */
export interface AddressFacts {
  /** The droplet that it is to lead to. */
  readonly dropletId: number
  /** Absent: the account has no such address. */
  readonly found?: { readonly leadsTo?: number }
  /** How often it was tried before. */
  readonly tries: number
}

export type AddressStep =
  | { readonly kind: 'assigned' }
  | { readonly kind: 'assign' }
  /** What is seen may be late: look again. */
  | { readonly kind: 'look-again' }
  /** It is not the toolbox's any more. */
  | { readonly kind: 'lost'; readonly why: string }

/** With {@link ADDRESS_PAUSE_MS} between them: as long as other things that are done with a droplet may take. */
export const MOST_ADDRESS_TRIES = 40
export const ADDRESS_PAUSE_MS = 15_000
/** From the second look on what is seen is so. */
const LOOKS_BEFORE_LOST = 2

/** Decides; touches nothing. */
export function nextAddressStep({ dropletId, found, tries }: AddressFacts): AddressStep {
  if (found?.leadsTo === dropletId) return { kind: 'assigned' }
  if (found && found.leadsTo === undefined) return { kind: 'assign' }
  if (tries + 1 < LOOKS_BEFORE_LOST) return { kind: 'look-again' }
  const why = found ? `leads to the droplet ${found.leadsTo} now, and stays there` : 'was released at DigitalOcean'
  return { kind: 'lost', why }
}
