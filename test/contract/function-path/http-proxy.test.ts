import { describeFunctionPath } from './describe-function-path.ts'

describeFunctionPath('http-proxy')
