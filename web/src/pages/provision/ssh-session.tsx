import { readSshHostKey, type SshAction, type SshHostKey, type SshLogin, type Toolbox } from '@agentopia/api'
import { useEffect, useRef, useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { type SshRun, useSshRun } from '../../api/use-ssh-run.ts'
import { Button } from '../../parts/button.tsx'
import { Checkbox } from '../../parts/checkbox.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Select } from '../../parts/select.tsx'
import { SshLoginFields } from './ssh-login.tsx'

const ACTIONS = [
  { value: 'install', label: 'Install', note: 'or repair' },
  { value: 'update', label: 'Update', note: 'what is installed' },
  { value: 'uninstall', label: 'Uninstall', note: 'with its tools and what they kept' },
] as const

/** DTMA over SSH: compare the host key, log in, watch. Closing it ends what runs. */
export function SshSession({ toolbox, onClose }: { toolbox: Toolbox; onClose: () => void }) {
  const { id: toolboxId, name, ssh } = toolbox
  const look = useAction(readSshHostKey)
  const { mutate } = look
  useEffect(() => mutate({ params: { toolboxId } }), [mutate, toolboxId])
  const run = useSshRun(toolboxId)
  const [action, setAction] = useState<SshAction>('install')
  const [login, setLogin] = useState<SshLogin>({ type: 'password', password: '' })
  const [compared, setCompared] = useState(false)
  const seen = look.data?.seen
  const recorded = look.data?.recorded
  const changed = recorded !== undefined && recorded.fingerprint !== seen?.fingerprint
  const begun = run.running || run.lines.length > 0 || run.end !== undefined
  const mayStart = seen && !changed && (recorded || compared) && !run.running
  return (
    <Dialog
      open
      onClose={onClose}
      size="wide"
      title={`${name} over SSH`}
      description={ssh && `${ssh.user}@${ssh.host}`}
    >
      <DialogBody>
        {look.error && <ProblemNotice error={look.error} />}
        {seen && <HostKey seen={seen} recorded={recorded} />}
        {seen && !recorded && !begun && (
          <label htmlFor="compared" className="flex items-center gap-2">
            <Checkbox id="compared" checked={compared} onCheckedChange={(checked) => setCompared(checked === true)} />
            It is the one that the server itself shows: I compared
          </label>
        )}
        {seen && !changed && !begun && (
          <>
            <Field label="What to do">
              {(control) => (
                <Select
                  {...control}
                  value={action}
                  onChange={(value) => setAction(value as SshAction)}
                  options={ACTIONS}
                />
              )}
            </Field>
            <SshLoginFields login={login} onChange={setLogin} />
          </>
        )}
        {run.error !== undefined && <ProblemNotice error={run.error} />}
        {begun && <Output run={run} />}
      </DialogBody>
      <DialogActions>
        {run.running ? (
          <Button kind="destroy" onClick={run.stop}>
            End it
          </Button>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )}
        <Button
          kind="primary"
          pending={run.running}
          disabled={!mayStart}
          onClick={() => seen && run.start({ action, login, hostKey: seen.fingerprint })}
        >
          {begun ? 'Run it again' : ACTIONS.find(({ value }) => value === action)?.label}
        </Button>
      </DialogActions>
    </Dialog>
  )
}

function HostKey({ seen, recorded }: { seen: SshHostKey; recorded: SshHostKey | undefined }) {
  const changed = recorded && recorded.fingerprint !== seen.fingerprint
  return (
    <div className="flex flex-col gap-1">
      <p className="text-ink-soft">The server shows this host key ({seen.type}):</p>
      <code className="wrap-anywhere text-sm">{seen.fingerprint}</code>
      {changed ? (
        <p role="alert" className="text-pretty text-bad">
          It is another one than that which was accepted, {recorded.fingerprint}. Nothing is sent to it. Only if the
          server was set up anew, let an administrator forget the recorded one: agentopia toolbox host-key --forget.
        </p>
      ) : (
        <p className="text-pretty text-ink-faint text-xs">
          {recorded
            ? 'It is the one that was accepted earlier.'
            : 'On the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'}
        </p>
      )}
    </div>
  )
}

/** What the server says, as it says it. */
function Output({ run: { lines, running, end } }: { run: SshRun }) {
  const bottom = useRef<HTMLDivElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: it moves with each line
  useEffect(() => {
    // In braces: browsers give a promise, which React would take for the effect's end and call.
    void bottom.current?.scrollIntoView({ block: 'end' })
  }, [lines.length])
  return (
    <div>
      <pre
        role="log"
        aria-label="Output of the server"
        className="wrap-anywhere max-h-80 min-h-24 overflow-y-auto whitespace-pre-wrap rounded-md bg-hover p-3 text-xs"
      >
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines only come
          <div key={index} className={line.from === 'err' ? 'text-warn' : undefined}>
            {line.text}
          </div>
        ))}
        <div ref={bottom} />
      </pre>
      <p role="status" className="mt-2 flex items-center gap-2 text-ink-soft">
        <Glyph tone={running ? 'busy' : end?.ok ? 'ok' : 'bad'} />
        {running ? 'Running' : (end?.summary ?? 'The connection broke')}
      </p>
    </div>
  )
}
