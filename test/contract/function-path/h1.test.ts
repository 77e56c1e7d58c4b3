import { describeFunctionPath } from './describe-function-path.ts'

describeFunctionPath('h1')
