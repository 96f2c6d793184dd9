import { testReplicasBehind } from '../support/replicas.ts'

testReplicasBehind('nginx')
