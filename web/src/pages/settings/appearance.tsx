import { Card, CardHeader } from '../../parts/card.tsx'
import { ThemeSwitch } from '../../shell/theme-switch.tsx'

export const Appearance = () => (
  <Card>
    <CardHeader title="Appearance" />
    <div className="flex items-center justify-between gap-4 p-4">
      <p className="text-ink-soft">Light, dark, or as the system has it. Remembered by this browser.</p>
      <ThemeSwitch />
    </div>
  </Card>
)
