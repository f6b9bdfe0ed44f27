// The program of the page, or what it looks like, did not arrive, as when the network changes meanwhile: nothing else is here to
// notice. The page is loaded again, a few times, and says so when that did not help.
addEventListener(
  'error',
  ({ target }) => {
    const isProgram = target instanceof HTMLScriptElement
    if (!isProgram && !(target instanceof HTMLLinkElement && target.rel === 'stylesheet')) return
    const mark = 'agentopia.loaded-again'
    try {
      const recently = JSON.parse(sessionStorage.getItem(mark) ?? '[]').filter((at) => Date.now() - at < 20_000)
      sessionStorage.setItem(mark, JSON.stringify([...recently, Date.now()]))
      // At once, and then with time for the network to come to rest.
      if (recently.length < 3) return void setTimeout(() => location.reload(), 1_000 * recently.length)
    } catch {
      // storage is off, or holds what is not ours: who knows how often it was tried
    }
    const root = document.getElementById('root')
    if (!root || !isProgram) return
    root.style.padding = '2rem'
    root.replaceChildren('The page did not arrive whole. Load it again in a moment.')
  },
  true,
)
