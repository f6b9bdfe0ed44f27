import type { ConnectSnippet } from '@agentopia/api'

/** Configurations to paste, below their titles. @param client The only one to show; `undefined`: all. */
export const snippetLines = (snippets: readonly ConnectSnippet[], client: string | undefined): string[] =>
  snippets.filter((one) => !client || one.client === client).map(({ title, text }) => `\n# ${title}\n${text}`)

/** Which of them a command prints. */
export const ONE_CLIENT = { client: { type: 'string', description: 'Which snippet to print; default: all' } } as const
