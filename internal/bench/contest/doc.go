// Package contest lets programs do the same job in turns and compares them turn by turn. So a
// disturbance of the machine disturbs all of them.
package contest
