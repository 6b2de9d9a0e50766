// Validates a state machine, or evaluates a JSONata expression: one question per line of standard input.
// Used by the tests only (workflows.py).
import { createInterface } from 'node:readline'
import validator from 'asl-validator'
import jsonata from 'jsonata'

const validate = validator.default ?? validator

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  let answer
  try {
    if (question.definition) {
      const { isValid, errors } = validate(question.definition)
      answer = { isValid, errors: (errors ?? []).map((each) => each.Message ?? each.message ?? String(each)) }
    } else {
      answer = { value: (await jsonata(question.expression).evaluate({}, question.variables)) ?? null }
    }
  } catch (error) {
    answer = { error: String(error?.message ?? error?.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
