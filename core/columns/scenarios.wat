;; The worst of S scenarios for each of a run of accounts: a dot product of an account's quantities with its
;; instruments' scenario vectors, sixteen scenarios of float64 at a time.
;;
;; Every scenario is summed position by position, product then sum, each rounded once: bit for bit what a plain
;; float64 loop gives. The first scenario of the least sum is the binding one.
;;
;; Memory: vectors from 0, one row of $stride bytes for each instrument, a multiple of 128 bytes.
;; Compiled bytes: scenarios-wasm.ts, compared with this text by test/core/columns/wasm.test.ts.
(module
  (import "core" "memory" (memory 1))
  (func (export "worst")
    (param $accounts i32) (param $stride i32)
    (param $offsets i32)   ;; i32 for each account and one more: first position of the account
    (param $rows i32)      ;; i32 for each position: byte offset of its instrument's row
    (param $quantities i32) ;; f64 for each position
    (param $worst i32)     ;; f64 for each account, written
    (param $scenario i32)  ;; i32 for each account, written
    (param $scratch i32)   ;; 128 bytes: the sums of the block that holds the worst so far
    (local $first i32) (local $end i32) (local $position i32) (local $block i32) (local $at i32)
    (local $best f64) (local $least f64) (local $bestBlock i32) (local $lane i32)
    (local $q v128) (local $m v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $e v128) (local $f v128) (local $g v128) (local $h v128)
    (block $done
      (loop $account
        (br_if $done (i32.eqz (local.get $accounts)))
        (local.set $first (i32.load (local.get $offsets)))
        (local.set $end (i32.load offset=4 (local.get $offsets)))
        (local.set $best (f64.const inf))
        (local.set $bestBlock (i32.const 0))
        (local.set $block (i32.const 0))
        (loop $blocks
          (local.set $a (v128.const i64x2 0 0))
          (local.set $b (v128.const i64x2 0 0))
          (local.set $c (v128.const i64x2 0 0))
          (local.set $d (v128.const i64x2 0 0))
          (local.set $e (v128.const i64x2 0 0))
          (local.set $f (v128.const i64x2 0 0))
          (local.set $g (v128.const i64x2 0 0))
          (local.set $h (v128.const i64x2 0 0))
          (local.set $position (local.get $first))
          (block $summed
            (loop $positions
              (br_if $summed (i32.ge_s (local.get $position) (local.get $end)))
              (local.set $at (i32.add (local.get $block)
                (i32.load (i32.add (local.get $rows) (i32.shl (local.get $position) (i32.const 2))))))
              (local.set $q (v128.load64_splat (i32.add (local.get $quantities) (i32.shl (local.get $position) (i32.const 3)))))
              (local.set $a (f64x2.add (local.get $a) (f64x2.mul (local.get $q) (v128.load (local.get $at)))))
              (local.set $b (f64x2.add (local.get $b) (f64x2.mul (local.get $q) (v128.load offset=16 (local.get $at)))))
              (local.set $c (f64x2.add (local.get $c) (f64x2.mul (local.get $q) (v128.load offset=32 (local.get $at)))))
              (local.set $d (f64x2.add (local.get $d) (f64x2.mul (local.get $q) (v128.load offset=48 (local.get $at)))))
              (local.set $e (f64x2.add (local.get $e) (f64x2.mul (local.get $q) (v128.load offset=64 (local.get $at)))))
              (local.set $f (f64x2.add (local.get $f) (f64x2.mul (local.get $q) (v128.load offset=80 (local.get $at)))))
              (local.set $g (f64x2.add (local.get $g) (f64x2.mul (local.get $q) (v128.load offset=96 (local.get $at)))))
              (local.set $h (f64x2.add (local.get $h) (f64x2.mul (local.get $q) (v128.load offset=112 (local.get $at)))))
              (local.set $position (i32.add (local.get $position) (i32.const 1)))
              (br $positions)))
          (local.set $m
            (f64x2.pmin
              (f64x2.pmin (f64x2.pmin (local.get $a) (local.get $b)) (f64x2.pmin (local.get $c) (local.get $d)))
              (f64x2.pmin (f64x2.pmin (local.get $e) (local.get $f)) (f64x2.pmin (local.get $g) (local.get $h)))))
          (local.set $least (f64.min (f64x2.extract_lane 0 (local.get $m)) (f64x2.extract_lane 1 (local.get $m))))
          (if (f64.lt (local.get $least) (local.get $best))
            (then
              (local.set $best (local.get $least))
              (local.set $bestBlock (local.get $block))
              (v128.store (local.get $scratch) (local.get $a))
              (v128.store offset=16 (local.get $scratch) (local.get $b))
              (v128.store offset=32 (local.get $scratch) (local.get $c))
              (v128.store offset=48 (local.get $scratch) (local.get $d))
              (v128.store offset=64 (local.get $scratch) (local.get $e))
              (v128.store offset=80 (local.get $scratch) (local.get $f))
              (v128.store offset=96 (local.get $scratch) (local.get $g))
              (v128.store offset=112 (local.get $scratch) (local.get $h))))
          (local.set $block (i32.add (local.get $block) (i32.const 128)))
          (br_if $blocks (i32.lt_s (local.get $block) (local.get $stride))))
        ;; The first of the sixteen that is the least. The caller has refused whatever could make none equal.
        (local.set $lane (i32.const 0))
        (block $found
          (loop $lanes
            (br_if $found (f64.eq (f64.load (i32.add (local.get $scratch) (local.get $lane))) (local.get $best)))
            (local.set $lane (i32.add (local.get $lane) (i32.const 8)))
            (br_if $lanes (i32.lt_s (local.get $lane) (i32.const 128)))))
        (f64.store (local.get $worst) (f64.load (i32.add (local.get $scratch) (local.get $lane))))
        (i32.store (local.get $scenario) (i32.shr_u (i32.add (local.get $bestBlock) (local.get $lane)) (i32.const 3)))
        (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
        (local.set $worst (i32.add (local.get $worst) (i32.const 8)))
        (local.set $scenario (i32.add (local.get $scenario) (i32.const 4)))
        (local.set $accounts (i32.sub (local.get $accounts) (i32.const 1)))
        (br $account)))))
