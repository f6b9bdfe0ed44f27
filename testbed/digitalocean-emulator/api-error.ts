/** An answer that says no, in DigitalOcean's form. */
export class ApiError extends Error {
  readonly status: number
  readonly id: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, id: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.id = id
    this.headers = headers
  }
}

export const notFound = () => new ApiError(404, 'not_found', 'The resource you requested could not be found.')
export const unprocessable = (message: string) => new ApiError(422, 'unprocessable_entity', message)
