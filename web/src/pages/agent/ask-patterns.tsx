import { AskPattern, type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

/** Names of capabilities, with `*`, that a person is asked for without being ticked one by one. */
export function AskPatterns({ item }: { item: ToolbeltItem }) {
  const may = useMay('operator')
  const update = useAction(updateToolbeltItem)
  const said = item.askPatterns.join(' ')
  const [draft, setDraft] = useState<string>()
  const patterns = (draft ?? said).split(/[\s,]+/).filter((word) => word !== '')
  const wrong = patterns.find((pattern) => !AskPattern.safeParse(pattern).success)
  const changed = draft !== undefined && patterns.join(' ') !== said
  return (
    <form
      className="flex flex-col gap-3 border-line border-t bg-canvas/60 px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault()
        update.mutate(
          { params: { agentId: item.agentId, toolbeltItemId: item.id }, body: { askPatterns: patterns } },
          { onSuccess: () => setDraft(undefined) },
        )
      }}
    >
      <div className="flex items-end gap-2">
        <Field
          label="Ask first for names like"
          hint="Such as delete_* or *: of what is allowed, a person is asked before each call. What is denied stays denied."
          problem={wrong && `“${wrong}” is no such name`}
          className="min-w-0 flex-1"
        >
          {(control) => (
            <Input
              {...control}
              className="font-mono text-xs"
              placeholder="none"
              value={draft ?? said}
              disabled={!may || update.isPending}
              onChange={(event) => setDraft(event.target.value)}
            />
          )}
        </Field>
        {changed && (
          <Button
            type="submit"
            size="small"
            kind="primary"
            disabled={wrong !== undefined}
            pending={update.isPending}
            className="mb-5.5"
          >
            Save names
          </Button>
        )}
      </div>
      {update.error && <ProblemNotice error={update.error} />}
    </form>
  )
}
