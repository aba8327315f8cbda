// Package measure runs programs in processes of their own and says what they took: wall
// time, CPU time, memory, and how much of the machine was taken away meanwhile.
package measure
