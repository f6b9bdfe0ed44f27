// The program of the page did not arrive whole, as when the network changes meanwhile: nothing else is here to notice. The page is
// loaded once more, and says so when that did not help.
addEventListener(
  'error',
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return
    const mark = 'agentopia.loaded-again'
    try {
      const recently = Date.now() - Number(sessionStorage.getItem(mark)) < 20_000
      sessionStorage.setItem(mark, String(Date.now()))
      if (!recently) return location.reload()
    } catch {
      // storage is off: who knows how often it was tried
    }
    const root = document.getElementById('root')
    if (!root) return
    root.style.padding = '2rem'
    root.replaceChildren('The page did not arrive whole. Load it again in a moment.')
  },
  true,
)
