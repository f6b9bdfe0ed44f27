import { Server } from 'lucide-react'
import { EmptyState } from '../../parts/empty-state.tsx'

/** What a toolbox is, and how the first one comes. */
export const NoToolbox = () => (
  <EmptyState icon={<Server />} title="Connect your first toolbox">
    <p>
      A toolbox is a machine of your own that runs tools for your agents. The machine of this control plane becomes one
      by itself as soon as Docker runs on it; any other server joins by one pasted line, and a droplet is made for you:
      Add a toolbox, above.
    </p>
    <ol className="mt-4 space-y-2 text-left">
      <li className="flex gap-3">
        <Step number={1} />
        <span>
          Install Docker Engine where the control plane runs, and start it: <code>systemctl start docker</code>.
        </span>
      </li>
      <li className="flex gap-3">
        <Step number={2} />
        <span>
          Start the control plane again with <code>npm start</code>. It installs DTMA and enrols the machine.
        </span>
      </li>
      <li className="flex gap-3">
        <Step number={3} />
        <span>The toolbox appears here by itself, first as awaiting heartbeat, then as active.</span>
      </li>
    </ol>
  </EmptyState>
)

const Step = ({ number }: { number: number }) => (
  <span className="grid size-5 shrink-0 place-items-center rounded-full border border-line bg-surface font-medium text-2xs text-ink tabular-nums">
    {number}
  </span>
)
