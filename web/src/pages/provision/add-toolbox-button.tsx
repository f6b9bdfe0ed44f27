import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { Button } from '../../parts/button.tsx'
import { AddToolbox } from './add-toolbox.tsx'

/** For whoever may. */
export function AddToolboxButton({ kind = 'plain' }: { kind?: 'plain' | 'primary' }) {
  const may = useMay('operator')
  const [open, setOpen] = useState(false)
  if (!may) return null
  return (
    <>
      <Button kind={kind} onClick={() => setOpen(true)}>
        <Plus />
        Add a toolbox
      </Button>
      {open && <AddToolbox onClose={() => setOpen(false)} />}
    </>
  )
}
