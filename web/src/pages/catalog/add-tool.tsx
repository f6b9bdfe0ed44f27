import { addCatalogTool, listImageArchives } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { ArchivePicker } from '../../images/archive-picker.tsx'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Select } from '../../parts/select.tsx'
import { type Draft, EMPTY_DRAFT, idFrom, type Kind, toolOf } from './new-tool.ts'
import { SecretRows } from './secret-rows.tsx'

const KINDS = [
  { value: 'npm', label: 'npm package', note: 'built once, on the toolbox' },
  { value: 'pypi', label: 'Python package', note: 'built once, on the toolbox' },
  { value: 'oci', label: 'Image of a registry', note: 'pulled, and pinned by digest' },
  { value: 'archive', label: 'Archive of an image', note: 'docker save; needs no registry' },
] as const

const PROFILES = [
  { value: 'strict', label: 'Strict', note: 'what most tools need' },
  { value: 'bigmem', label: 'More memory', note: '2 GiB' },
  { value: 'browser', label: 'Browser', note: '1 GiB, 256 processes' },
  { value: 'exec-tmp', label: 'Programs in /tmp', note: 'for native code' },
] as const

const SOURCES: Readonly<Record<Exclude<Kind, 'archive'>, readonly [label: string, example: string]>> = {
  npm: ['Package', '@scope/server'],
  pypi: ['Package', 'mcp-server-time'],
  oci: ['Image, with its tag or digest', 'registry.example/owner/server:1.2'],
}

/** A tool of one's own: what it is made of, what it may reach and what it keeps. */
export function AddTool({ onClose, onAdded }: { onClose: () => void; onAdded: (toolId: string) => void }) {
  const add = useAction(addCatalogTool)
  const archives = useOperation(listImageArchives, {})
  const [draft, setDraft] = useState<Draft>(EMPTY_DRAFT)
  const ready = archives.data?.items.filter(({ state }) => state === 'ready') ?? []
  const change = (next: Partial<Draft>) => setDraft((before) => ({ ...before, ...next }))
  const choose = (source: string, name = source) =>
    setDraft((before) => ({
      ...before,
      source,
      ...(before.id === '' || before.id === idFrom(before.source) ? { id: idFrom(name) } : {}),
    }))
  const source = draft.kind === 'archive' ? undefined : SOURCES[draft.kind]
  const isPackage = draft.kind === 'npm' || draft.kind === 'pypi'
  const text = (key: 'version' | 'id' | 'title' | 'summary' | 'args' | 'http' | 'egress' | 'state') => ({
    value: draft[key],
    onChange: (event: { target: { value: string } }) => change({ [key]: event.target.value }),
  })

  return (
    <Dialog
      open
      onClose={onClose}
      title="Add a tool"
      description="An MCP server of your choice. It runs under the same hardening as every other."
    >
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate({ body: toolOf(draft, ready) }, { onSuccess: ({ id }) => onAdded(id) })
        }}
      >
        <DialogBody>
          <Field label="Made of">
            {(control) => (
              <Select
                {...control}
                value={draft.kind}
                options={KINDS}
                onChange={(kind) => change({ kind: kind as Kind, source: '', version: '' })}
              />
            )}
          </Field>
          <div className="flex flex-wrap gap-4">
            {source ? (
              <Field label={source[0]} required className="min-w-60 flex-1">
                {(control) => (
                  <Input
                    {...control}
                    autoFocus
                    required
                    spellCheck={false}
                    placeholder={source[1]}
                    value={draft.source}
                    onChange={(event) => choose(event.target.value)}
                  />
                )}
              </Field>
            ) : (
              <Field label="Image" required className="min-w-60 flex-1">
                {(control) => (
                  <Select
                    {...control}
                    value={draft.source}
                    placeholder={ready.length === 0 ? 'None is here yet' : 'Choose'}
                    disabled={ready.length === 0}
                    options={ready.map(({ digest, image }) => ({ value: digest, label: image ?? digest.slice(0, 19) }))}
                    onChange={(digest) => choose(digest, ready.find((one) => one.digest === digest)?.image ?? '')}
                  />
                )}
              </Field>
            )}
            {isPackage && (
              <Field label="Exact version" required className="w-36">
                {(control) => (
                  <Input {...control} required spellCheck={false} placeholder="1.2.3" {...text('version')} />
                )}
              </Field>
            )}
          </div>
          {draft.kind === 'archive' && <ArchivePicker onPushed={({ digest, image = '' }) => choose(digest, image)} />}
          <div className="flex flex-wrap gap-4">
            <Field
              label="Id"
              required
              hint="How the catalogue and the command line know it"
              className="min-w-44 flex-1"
            >
              {(control) => <Input {...control} required spellCheck={false} {...text('id')} />}
            </Field>
            <Field label="Title" className="min-w-44 flex-1">
              {(control) => <Input {...control} placeholder={draft.id} {...text('title')} />}
            </Field>
          </div>
          <Field label="What it does">
            {(control) => <Input {...control} placeholder="One sentence" {...text('summary')} />}
          </Field>
          <div className="flex flex-wrap gap-4">
            <Field label="Arguments" hint="Separated by spaces" className="min-w-44 flex-1">
              {(control) => <Input {...control} spellCheck={false} {...text('args')} />}
            </Field>
            <Field label="HTTP port and path" hint="Empty: it speaks on standard input" className="w-44">
              {(control) => (
                <Input
                  {...control}
                  spellCheck={false}
                  placeholder="3001/mcp"
                  pattern="\s*\d+(/\S*)?\s*"
                  {...text('http')}
                />
              )}
            </Field>
          </div>
          <div className="flex flex-wrap gap-4">
            <Field
              label="May connect to"
              hint="none, any, or hosts such as api.example.com"
              className="min-w-44 flex-1"
            >
              {(control) => <Input {...control} spellCheck={false} {...text('egress')} />}
            </Field>
            <Field label="Keeps data in" hint="Empty: it keeps nothing" className="w-44">
              {(control) => <Input {...control} spellCheck={false} placeholder="/data" {...text('state')} />}
            </Field>
          </div>
          <Field label="Profile" hint="What goes beyond strict is written down with the tool">
            {(control) => (
              <Select
                {...control}
                value={draft.profile}
                options={PROFILES}
                onChange={(profile) => change({ profile: profile as Draft['profile'] })}
              />
            )}
          </Field>
          <SecretRows secrets={draft.secrets} onChange={(secrets) => change({ secrets })} />
        </DialogBody>
        {/* Below what scrolls: it is seen wherever one is. */}
        {add.error && <ProblemNotice error={add.error} className="mx-5 mb-4" />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind="primary"
            pending={add.isPending}
            disabled={draft.source === '' || draft.id === ''}
          >
            Add to the catalogue
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
