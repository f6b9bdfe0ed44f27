// Runs before the first paint, so that a dark page never flashes white. The rest is in src/shell/theme.ts.
;(() => {
  let chosen = null
  try {
    chosen = localStorage.getItem('agentopia.theme')
  } catch {
    // storage is off: follow the system
  }
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
