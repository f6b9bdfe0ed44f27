import type { PypiPackage } from '../contract/tool-package.ts'
import { TOOL_USER } from './create-body.ts'
import { type BuildComplaints, type PackageIndex, type PackageRecipe, recipeOf } from './package-image.ts'
import { PYPI_ENTRY_SCRIPT } from './pypi-entry.script.ts'
import { PYPI_SECRETS_SCRIPT } from './pypi-secrets.script.ts'

/**
 * As with npm packages, nothing of the package is written into the Dockerfile. Only wheels are taken: a source distribution
 * would run its own code to be installed. The index is needed here and never again.
 * @param base Id of an image with Python 3 and pip.
 */
export function pypiRecipe(pkg: PypiPackage, base: string, index?: PackageIndex): PackageRecipe {
  const { name, version, bin } = pkg
  return recipeOf(pkg, {
    Dockerfile: dockerfileOf(base),
    'requirements.txt': [...linesOf(index), `${name}==${version}`, ''].join('\n'),
    'wanted.json': JSON.stringify({ name, bin }),
    'resolve_entry.py': PYPI_ENTRY_SCRIPT,
    'with_secrets.py': PYPI_SECRETS_SCRIPT,
  })
}

/** Whoever names an index without TLS means it: pip would ignore it otherwise. */
function linesOf(index: PackageIndex): string[] {
  if (index === undefined) return []
  const url = new URL(index)
  return [`--index-url ${index}`, ...(url.protocol === 'http:' ? [`--trusted-host ${url.host}`] : [])]
}

const dockerfileOf = (base: string): string => `FROM ${base}
USER 0:0
WORKDIR /tool
COPY requirements.txt wanted.json resolve_entry.py with_secrets.py ./
RUN python3 -m pip install --only-binary :all: --no-cache-dir --no-input --disable-pip-version-check --no-warn-script-location --root-user-action ignore --retries 2 --timeout 20 --target /tool/packages -r requirements.txt
RUN python3 -I resolve_entry.py
USER ${TOOL_USER}
HEALTHCHECK NONE
ENTRYPOINT ["python3", "-su", "/tool/entry.py"]
CMD []
`

export const PYPI_COMPLAINTS: BuildComplaints = {
  unreachable:
    /Failed to establish a new connection|Name or service not known|Temporary failure in name resolution|Connection refused|Read timed out|ConnectTimeoutError|Max retries exceeded|SSLError|CERTIFICATE_VERIFY_FAILED/,
  notFound: /No matching distribution found|Could not find a version that satisfies|ResolutionImpossible/,
}
