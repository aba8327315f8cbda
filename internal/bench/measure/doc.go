// Package measure runs programs in processes of their own. It measures wall time, CPU time and
// memory, and how much of the machine was taken away meanwhile.
package measure
