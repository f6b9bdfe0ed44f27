/** What the window of the provider tells the page that opened it. The page may not hold on to a window that was elsewhere. */
const CHANNEL = 'agentopia-presence'

/** A window for the provider of single sign-on; `undefined` when the browser lets the page open none. */
export const openProofWindow = (): Window | undefined =>
  window.open('', '_blank', 'popup,width=520,height=720') ?? undefined

/** In that window, when it came back: tells, and closes it. */
export function tellProven(): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage('proven')
  channel.close()
  window.close()
}

/** In the page. It takes nobody's word for it: the control plane is asked again. @returns ends it. */
export function listenForProof(onProven: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = onProven
  return () => channel.close()
}
