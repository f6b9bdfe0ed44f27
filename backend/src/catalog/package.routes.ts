import type { Hono } from 'hono'
import type { Mount } from '../http/mount.ts'
import { createArchiveFiles } from '../images/archive.files.ts'
import { archiveRoutes } from '../images/archive.routes.ts'
import { archiveUplink } from '../images/archive.uplink.ts'
import { registryRoutes } from '../registries/registry.routes.ts'
import { type RegistryUplinkDeps, registryUplink } from '../registries/registry.uplink.ts'
import type { Sealer } from '../store/seal.ts'
import { catalogRoutes } from './catalog.routes.ts'

export interface PackageRouteDeps extends RegistryUplinkDeps {
  readonly sealer: Sealer
  /** Directory of the archives of images; shared by all processes that serve one store. */
  readonly archivesDir: string
}

/** What tools are made of: recipes, registries with their credentials, and archives of images; for people, and for the toolboxes that fetch them. */
export function packageRoutes(mount: Mount, uplink: Hono, { archivesDir, ...deps }: PackageRouteDeps): void {
  const files = createArchiveFiles(archivesDir)
  catalogRoutes(mount, deps)
  registryRoutes(mount, deps)
  archiveRoutes(mount, { ...deps, files })
  registryUplink(uplink, deps)
  archiveUplink(uplink, { ...deps, files })
}
