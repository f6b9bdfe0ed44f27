import { Dialog, DialogBody } from '../parts/dialog.tsx'
import { PAGES } from './pages.ts'

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['/'], 'Search this page, or jump to anything'],
  [['Ctrl', 'K'], 'Jump to anything'],
  ...PAGES.map(({ key, label }) => [['g', key], `Go to ${label}`] as const),
  [['Esc'], 'Close a dialog, clear a search'],
  [['←', '→'], 'Move between tabs'],
  [['?'], 'This sheet'],
]

export const HelpSheet = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Dialog open={open} onClose={onClose} title="Keyboard" size="small">
    <DialogBody className="gap-0">
      <dl className="divide-y divide-line">
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning} className="flex items-center justify-between gap-4 py-2">
            <dt className="text-ink-soft">{meaning}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="grid h-6 min-w-6 place-items-center rounded-sm border border-line-strong border-b-2 bg-canvas px-1.5 text-2xs"
                >
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </DialogBody>
  </Dialog>
)
