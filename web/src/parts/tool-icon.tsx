import {
  AppWindow,
  BookOpen,
  Brain,
  Bug,
  Calculator,
  Calendar,
  ChartLine,
  Clock,
  Cloud,
  Code,
  Database,
  FileText,
  Folder,
  GitBranch,
  Globe,
  Image,
  Key,
  ListOrdered,
  type LucideIcon,
  Mail,
  Map as MapIcon,
  MessageSquare,
  NotebookPen,
  Package,
  Search,
  Sparkles,
  SquareTerminal,
  Users,
  Wrench,
} from 'lucide-react'
import { cn } from './cn.ts'

/** The icons that catalogue entries may name. Another name shows the wrench. */
const ICONS: Readonly<Record<string, LucideIcon>> = {
  'app-window': AppWindow,
  'book-open': BookOpen,
  brain: Brain,
  bug: Bug,
  calculator: Calculator,
  calendar: Calendar,
  'chart-line': ChartLine,
  clock: Clock,
  cloud: Cloud,
  code: Code,
  database: Database,
  'file-text': FileText,
  folder: Folder,
  'git-branch': GitBranch,
  globe: Globe,
  image: Image,
  key: Key,
  'list-ordered': ListOrdered,
  package: Package,
  mail: Mail,
  map: MapIcon,
  'message-square': MessageSquare,
  note: NotebookPen,
  search: Search,
  sparkles: Sparkles,
  terminal: SquareTerminal,
  users: Users,
}

export function ToolIcon({ name, className }: { name: string | undefined; className?: string }) {
  const Icon = (name !== undefined && Object.hasOwn(ICONS, name) && ICONS[name]) || Wrench
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-9 shrink-0 place-items-center rounded-md border border-line bg-canvas text-accent [&_svg]:size-4.5',
        className,
      )}
    >
      <Icon strokeWidth={1.75} />
    </span>
  )
}
