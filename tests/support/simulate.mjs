// Answers one policy simulation per line of standard input. Used by the tests only (decisions.py).
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    const response = await runSimulation(JSON.parse(line), {})
    if (response.resultType === 'error') {
      answer = { error: response.errors }
    } else {
      const result = response.result ?? response.results[0]
      answer = {
        result: response.overallResult,
        ignored: result?.ignoredContextKeys ?? [],
        analysis: result?.analysis,
      }
    }
  } catch (error) {
    answer = { error: { message: String(error?.stack ?? error) } }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
