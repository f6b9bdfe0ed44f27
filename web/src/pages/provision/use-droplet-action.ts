import { type NewDropletAction, startDropletAction, type Toolbox } from '@agentopia/api'
import { useAction } from '../../api/use-action.ts'
import { notify } from '../../shell/notices.ts'

/** Asks for something to be done with the droplet; its progress is then on the card. */
export function useDropletAction({ id: toolboxId, name }: Toolbox, onAsked: () => void) {
  const { mutate, isPending, error } = useAction(startDropletAction)
  const ask = (body: NewDropletAction) =>
    mutate(
      { params: { toolboxId }, body },
      {
        onSuccess: ({ title }) => {
          notify({ tone: 'busy', text: `${name}: ${title} is asked for` })
          onAsked()
        },
      },
    )
  return { ask, isPending, error }
}
