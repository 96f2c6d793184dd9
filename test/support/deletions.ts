import { type Answer, PASSWORD, type Service, type TestUser } from './service.ts'

type Caller = Pick<TestUser, 'access'>

export const deleteMe = (
  service: Service,
  { access: token }: Caller,
  sent: object = {},
): Promise<Answer> =>
  service.delete('/api/v1/me', { token, body: { current_password: PASSWORD }, ...sent })

export const deleteUser = (
  service: Service,
  { access: token }: Caller,
  { id }: Pick<TestUser, 'id'>,
): Promise<Answer> => service.delete(`/api/v1/users/${id}`, { token })
