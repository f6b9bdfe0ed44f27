import { crashOf } from '../api/page-failure.ts'
import { Button } from '../parts/button.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'

/** A page that failed while it was drawn: a bug of ours. The rest of the product is one click away. */
export const CrashPage = ({ error }: { error: unknown }) => (
  <div className="mx-auto max-w-xl p-6">
    <ProblemNotice error={crashOf(error)} />
    <Button className="mt-4" onClick={() => window.location.reload()}>
      Load the page again
    </Button>
  </div>
)
