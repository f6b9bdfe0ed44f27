import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { Button } from '../parts/button.tsx'
import { EmptyState } from '../parts/empty-state.tsx'
import { PageHeader } from '../parts/page-header.tsx'

export const NotFoundPage = () => (
  <>
    <PageHeader title="Not found" />
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
  </>
)
