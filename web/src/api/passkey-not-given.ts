/** The browser gave no passkey. It says why in the message, as far as it tells. */
export class PasskeyNotGiven extends Error {}
