import { type CallVerification, verifyCalls } from '@agentopia/api'
import { useQuery } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { callOperation } from '../../api/client.ts'
import { Button } from '../../parts/button.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { Reading } from '../../parts/reading.tsx'

/** Two hundred thousand records take about ten seconds. */
const DEADLINE_MS = 600_000

/** Follows the chain of records, and says whether it is as it was written. */
export function VerifyCalls() {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <ShieldCheck />
        Verify
      </Button>
      {open && <Verification onClose={() => setOpen(false)} />}
    </>
  )
}

function Verification({ onClose }: { onClose: () => void }) {
  const found = useQuery({
    queryKey: [verifyCalls.id],
    queryFn: ({ signal }) => callOperation(verifyCalls, { query: {} }, { signal, deadlineMs: DEADLINE_MS }),
  })
  return (
    <Dialog
      open
      onClose={onClose}
      title="Is the record as it was written?"
      description="Each record carries the hash of the one before it; the last one is under a seal that the database cannot make."
    >
      <DialogBody>
        <Reading of={found}>{(verification) => <Found {...verification} />}</Reading>
      </DialogBody>
      <DialogActions>
        <Button onClick={() => void found.refetch()} pending={found.isFetching}>
          Check again
        </Button>
        <Button kind="primary" onClick={onClose}>
          Close
        </Button>
      </DialogActions>
    </Dialog>
  )
}

const Found = ({ intact, checked, head, removed, unchained, broken }: CallVerification) => (
  <>
    <p className="flex items-center gap-2 font-semibold">
      <Glyph tone={intact ? 'ok' : 'bad'} />
      {intact ? 'It is: nothing was changed, removed or added.' : `It is not: ${broken?.message ?? ''}.`}
    </p>
    <Facts
      facts={[
        ['Records checked', checked.toLocaleString('en')],
        ['End of the chain', <CopyableId key="head" id={`${head.sequence}:${head.hash}`} />],
        removed && ['Removed by rule, up to', removed.sequence.toLocaleString('en')],
        unchained > 0 && ['Older than the chain', `${unchained.toLocaleString('en')}, of which nothing is proven`],
        broken && ['First broken', broken.callId ?? `record ${broken.sequence}`],
      ]}
    />
    {intact && head.sequence > 0 && (
      <p className="text-pretty text-ink-soft text-sm">
        Keep the end of the chain elsewhere: <code>agentopia call verify --head</code> finds out later whether the whole
        database was set back.
      </p>
    )}
  </>
)
