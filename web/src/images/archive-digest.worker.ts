import { type DigestNews, digestOf } from './archive-digest.ts'

const say = (news: DigestNews) => self.postMessage(news)

// One file for each worker; who wants no more of it ends the worker.
self.addEventListener('message', ({ data: file }: MessageEvent<File>) => {
  digestOf(file, (read) => say({ read })).then(
    (digest) => say({ digest }),
    (error: unknown) => say({ failed: error instanceof Error ? error.message : 'it cannot be read' }),
  )
})
