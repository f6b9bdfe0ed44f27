import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { Button } from '../parts/button.tsx'
import { EmptyState } from '../parts/empty-state.tsx'

export const NotFoundPage = () => (
  <div className="mx-auto max-w-xl p-6">
    <EmptyState
      icon={<Compass />}
      title="There is no such page"
      action={
        <Button asChild>
          <Link to="/">To the overview</Link>
        </Button>
      }
    >
      The address may be mistyped, or what it showed is gone.
    </EmptyState>
  </div>
)
