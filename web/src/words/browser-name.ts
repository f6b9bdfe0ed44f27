/** The more particular names come first: nearly every browser calls itself by those of others, too. */
const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bChrom(?:e|ium)\/|\bHeadlessChrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
] as const

const SYSTEMS = [
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
] as const

/** A browser as people call it, from what it says of itself: `Firefox on Linux`; its first word when it is no browser known here. */
export function browserName(said: string | undefined): string {
  if (!said) return 'a browser that says nothing of itself'
  const browser = BROWSERS.find(([sign]) => sign.test(said))?.[1]
  const system = SYSTEMS.find(([sign]) => sign.test(said))?.[1]
  if (!browser) return said.split(/[\s/]/)[0]!.slice(0, 40)
  return system ? `${browser} on ${system}` : browser
}
