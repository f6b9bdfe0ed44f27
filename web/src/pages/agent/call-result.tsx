import type { executeCapability, Reply } from '@agentopia/api'
import { useState } from 'react'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { Chip } from '../../parts/glyph.tsx'
import { CodeBlock, JsonView } from '../../parts/json-view.tsx'
import { type ResultBlock, resultBlocks } from '../../schema/result-blocks.ts'
import { duration } from '../../words/quantity.ts'

/** What the MCP server answered, and how long it took. */
export function CallResult({ reply }: { reply: Reply<typeof executeCapability> }) {
  const { callId, durationMs, result } = reply
  const [raw, setRaw] = useState(false)
  const failed = result['isError'] === true
  return (
    <Card>
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2.5">
        <Chip tone={failed ? 'warn' : 'ok'}>{failed ? 'tool error' : 'ok'}</Chip>
        <span className="font-semibold tabular-nums">{duration(durationMs)}</span>
        <CopyableId id={callId} className="text-ink-faint" />
        <Button kind="quiet" size="small" className="ml-auto" onClick={() => setRaw(!raw)}>
          {raw ? 'Readable' : 'As JSON'}
        </Button>
      </header>
      <div className="flex flex-col gap-3 p-4">
        {raw ? (
          <JsonView value={result} what="the result" />
        ) : (
          resultBlocks(result).map((block, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks of an answer are their places
            <Block key={index} block={block} />
          ))
        )}
      </div>
    </Card>
  )
}

function Block({ block }: { block: ResultBlock }) {
  switch (block.kind) {
    case 'text':
      return <CodeBlock text={block.text} what="the text" />
    case 'json':
      return <JsonView value={block.value} what="the value" />
    case 'image':
      return (
        <img src={block.source} alt="What the tool answered" className="max-w-full rounded-md border border-line" />
      )
    case 'other':
      return (
        <div>
          <p className="mb-1 text-ink-faint text-xs">{block.what}</p>
          <JsonView value={block.value} what={block.what} />
        </div>
      )
  }
}
