import { ArrowDownToLine, Pause, Play } from 'lucide-react'
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react'
import { matchingLines, plainText } from '../api/log-lines.ts'
import { type Log, useLog } from '../api/use-log.ts'
import { count } from '../words/quantity.ts'
import { Button } from './button.tsx'
import { Card } from './card.tsx'
import { CopyButton } from './copyable.tsx'
import { Glyph } from './glyph.tsx'
import { LogLines } from './log-lines.tsx'
import { ProblemNotice } from './problem-notice.tsx'
import { SearchField } from './search-field.tsx'
import { Select } from './select.tsx'

interface LogViewProps {
  readonly toolboxId: string
  readonly instanceId: string
  readonly name: string
  readonly children?: ReactNode
}

const STREAMS = [
  { value: 'all', label: 'All output' },
  { value: 'stdout', label: 'stdout' },
  { value: 'stderr', label: 'stderr' },
] as const

type Stream = (typeof STREAMS)[number]['value']

/** The log of a tool instance: live, searchable, bounded. What a tool writes is text and nothing else. */
export function LogView({ toolboxId, instanceId, name, children }: LogViewProps) {
  const [follow, setFollow] = useState(true)
  const [atEnd, setAtEnd] = useState(true)
  const [search, setSearch] = useState('')
  const [stream, setStream] = useState<Stream>('all')
  const log = useLog({ toolboxId, instanceId }, follow)
  const text = useDeferredValue(search)
  const shown = useMemo(() => matchingLines(log.lines, { text, stream }), [log.lines, text, stream])

  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        {children}
        <SearchField value={search} onChange={setSearch} label="Search the log" className="min-w-48 flex-1" />
        <Select
          aria-label="Stream"
          className="w-32"
          value={stream}
          onChange={(value) => setStream(value as Stream)}
          options={STREAMS}
        />
        <Button aria-pressed={follow} onClick={() => setFollow(!follow)}>
          {follow ? <Pause /> : <Play />}
          {follow ? 'Pause' : 'Follow'}
        </Button>
        <CopyButton
          kind="plain"
          size="normal"
          what={`the ${shown.length} shown lines`}
          text={shown.map((line) => `${line.at} ${line.stream} ${plainText(line.line)}`).join('\n')}
        >
          Copy
        </CopyButton>
      </div>
      {log.error !== undefined && <ProblemNotice error={log.error} />}
      <Card className="relative overflow-hidden">
        <LogLines lines={shown} search={text} follow={follow && atEnd} onEnd={setAtEnd} label={`Log of ${name}`}>
          {emptyWords(log, shown.length)}
        </LogLines>
        {!atEnd && (
          <Button
            size="small"
            kind="primary"
            className="absolute right-4 bottom-12 shadow-float"
            onClick={() => setAtEnd(true)}
          >
            <ArrowDownToLine />
            Latest
          </Button>
        )}
        <footer className="flex items-center justify-between gap-3 border-line border-t px-4 py-2 text-ink-faint text-xs tabular-nums">
          <span role="status" className="flex items-center gap-2">
            <Glyph tone={({ open: 'ok', opening: 'busy', waiting: 'warn', off: 'idle' } as const)[log.state]} />
            {{ open: 'Following', opening: 'Opening', waiting: 'Coming back', off: 'Paused' }[log.state]}
          </span>
          <span>
            {shown.length === log.lines.length
              ? count(shown.length, 'line')
              : `${shown.length} of ${count(log.lines.length, 'line')}`}
          </span>
        </footer>
      </Card>
    </div>
  )
}

function emptyWords({ state, lines }: Log, shown: number): string | undefined {
  if (shown > 0) return undefined
  if (lines.length > 0) return 'No line matches.'
  return state === 'opening' ? 'Reading' : 'The tool has written nothing yet.'
}
