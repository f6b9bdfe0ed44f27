import { type Agent, AgentLimits, DEFAULT_CALLS_PER_MINUTE, updateAgent, wordsOfIssue } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

const FIELDS = {
  perMinute: 'Calls in one minute',
  perDay: 'Calls in one day (UTC)',
  argumentBytes: 'Longest arguments of one call, in bytes',
  resultBytes: 'Longest answer of one call, in bytes',
} as const

type Name = keyof typeof FIELDS

/** How much the agent may call. Limits of single capabilities stay as they are. */
export function LimitAgent({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const update = useAction(updateAgent)
  const [texts, setTexts] = useState<Partial<Record<Name, string>>>(() =>
    Object.fromEntries(Object.keys(FIELDS).map((name) => [name, String(agent.limits[name as Name] ?? '')])),
  )
  const limits = AgentLimits.safeParse(
    { ...agent.limits, ...numbersOf(texts, agent.limits.perMinute) },
    { error: wordsOfIssue },
  )
  const wrong = new Map(limits.error?.issues.map(({ path, message }) => [path[0], message]))
  return (
    <Dialog
      open
      onClose={onClose}
      size="small"
      title={`Limit ${agent.name}`}
      description={`What is left empty is not limited, except the calls in one minute: they are ${DEFAULT_CALLS_PER_MINUTE} then.`}
    >
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          if (!limits.success) return
          update.mutate({ params: { agentId: agent.id }, body: { limits: limits.data } }, { onSuccess: onClose })
        }}
      >
        <DialogBody>
          {(Object.entries(FIELDS) as [Name, string][]).map(([name, label]) => (
            <Field key={name} label={label} problem={wrong.get(name)}>
              {(control) => (
                <Input
                  {...control}
                  inputMode="numeric"
                  placeholder={placeholderOf(name, agent)}
                  value={texts[name] ?? ''}
                  onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
                />
              )}
            </Field>
          ))}
          {agent.limits.capabilities?.map(({ capability, perMinute, perDay }) => (
            <p key={capability} className="text-ink-soft text-sm">
              <code>{capability}</code>: {perMinute ?? 'any'} a minute, {perDay ?? 'any'} a day
            </p>
          ))}
          {update.error && <ProblemNotice error={update.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!limits.success} pending={update.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

const placeholderOf = (name: Name, { limits }: Agent): string =>
  name === 'perMinute' && limits.perMinute !== null ? String(DEFAULT_CALLS_PER_MINUTE) : 'not limited'

/** @param usual What an empty field for the calls in one minute stands for, as before. */
const numbersOf = (texts: Partial<Record<Name, string>>, usual: AgentLimits['perMinute']): object =>
  Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      text.trim() !== '' ? Number(text) : name === 'perMinute' && usual === null ? null : undefined,
    ]),
  )
