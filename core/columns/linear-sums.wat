;; Two sums for each of a run of accounts, side by side in one vector: the value of its positions, and the larger of two
;; lines of each position's size.
;;
;; Every sum is taken position by position, product then sum, each rounded once: bit for bit what a plain float64 loop
;; gives.
;;
;; Compiled bytes: linear-sums-wasm.ts, compared with this text by test/core/columns/wasm.test.ts.
(module
  (import "core" "memory" (memory 1))
  (func (export "sums")
    (param $accounts i32)
    (param $terms i32)       ;; 64 bytes for each instrument, f64: unit, first rate; unit, second rate; 0, what the second line is less by
    (param $offsets i32)     ;; i32 for each account and one more: first position of the account
    (param $instruments i32) ;; i32 for each position: index into the terms
    (param $quantities i32)  ;; f64 for each position
    (param $sums i32)        ;; two f64 for each account, written: value, need
    (local $position i32) (local $end i32) (local $at i32) (local $q v128) (local $sum v128)
    (local.set $position (i32.load (local.get $offsets)))
    (block $done
      (loop $account
        (br_if $done (i32.eqz (local.get $accounts)))
        (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
        (local.set $end (i32.load (local.get $offsets)))
        (local.set $sum (v128.const i64x2 0 0))
        (block $summed
          (loop $positions
            (br_if $summed (i32.ge_s (local.get $position) (local.get $end)))
            (local.set $at (i32.add (local.get $terms) (i32.shl
              (i32.load (i32.add (local.get $instruments) (i32.shl (local.get $position) (i32.const 2))))
              (i32.const 6))))
            ;; The quantity beside its magnitude.
            (local.set $q (v128.and
              (v128.load64_splat (i32.add (local.get $quantities) (i32.shl (local.get $position) (i32.const 3))))
              (v128.const i64x2 0xffffffffffffffff 0x7fffffffffffffff)))
            ;; The first halves are equal: the larger one is either.
            (local.set $sum (f64x2.add (local.get $sum) (f64x2.pmax
              (f64x2.mul (local.get $q) (v128.load (local.get $at)))
              (f64x2.sub (f64x2.mul (local.get $q) (v128.load offset=16 (local.get $at))) (v128.load offset=32 (local.get $at))))))
            (local.set $position (i32.add (local.get $position) (i32.const 1)))
            (br $positions)))
        (v128.store (local.get $sums) (local.get $sum))
        (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
        (local.set $accounts (i32.sub (local.get $accounts) (i32.const 1)))
        (br $account)))))
