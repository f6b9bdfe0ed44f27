import type { Input, Operation, Reply } from '@agentopia/api'
import { keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { callOperation } from './client.ts'

export interface ReadOptions {
  /** False: not read yet. */
  readonly enabled?: boolean
  /** Read again so often, for what changes without a hint. */
  readonly everyMs?: number
  /** Show the answer to the previous input until the next one is here: for searches. */
  readonly keepPrevious?: boolean
}

/** How an operation is read: one cache entry per operation and input. */
export const readingOf = <Op extends Operation>(op: Op, input: Input<Op>) =>
  queryOptions<Reply<Op>, Error>({
    queryKey: [op.id, input],
    queryFn: ({ signal }) => callOperation(op, input, { signal }),
  })

/** Reads an operation through the cache. */
export function useOperation<Op extends Operation>(op: Op, input: Input<Op>, options: ReadOptions = {}) {
  return useQuery<Reply<Op>, Error>({
    ...readingOf(op, input),
    ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
    ...(options.keepPrevious ? { placeholderData: keepPreviousData } : {}),
  })
}

/** Reads a list page by page. `input.query.cursor` is filled in from the page before. */
export function useOperationPages<Item, Op extends Operation>(
  op: Op & {
    readonly reply: { readonly _zod: { readonly output: { items: Item[]; nextCursor?: string | undefined } } }
  },
  input: Input<Op>,
) {
  return useInfiniteQuery({
    queryKey: [op.id, input, 'pages'],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) => {
      const { query, ...rest } = input as { query?: object }
      const asked = { ...rest, query: { ...query, ...(pageParam === undefined ? {} : { cursor: pageParam }) } }
      return (await callOperation(op, asked as object as Input<Op>, { signal })) as {
        items: Item[]
        nextCursor?: string
      }
    },
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  })
}
