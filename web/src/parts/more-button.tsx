import { Button } from './button.tsx'

interface Paged {
  readonly hasNextPage: boolean
  readonly isFetchingNextPage: boolean
  readonly fetchNextPage: () => unknown
}

/** Reads the next page of a list, while there is one. */
export const MoreButton = ({ of }: { of: Paged }) =>
  of.hasNextPage ? (
    <div className="border-line border-t p-3 text-center">
      <Button size="small" pending={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
        Show older
      </Button>
    </div>
  ) : null
