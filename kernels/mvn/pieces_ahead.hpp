// pieces_ahead.hpp: the rows of a team's items on their way through shared memory before they are needed.
//
// A team takes its items one after the other, and an item piece by piece. While it works on one piece the next two are copied,
// those of the items to come among them, without a register or an instruction that waits: so many bytes are under way that
// the memory of a device is busy whatever a team is doing.
//
// A piece lies as far from a multiple of 16 bytes as the rows do in memory: loads that are aligned there are aligned here.
#pragma once

#include "moments_team.hpp"

namespace mvn {

// Rows that need no way: all of a chunk are one piece.
struct RowsInPlace {
  static constexpr int rows = chunkRows(1);

  template <class Team, class Row> MVN_FN RowsOf<Row> take(const Team&, const RowsOf<Row>& piece) { return piece; }
};

// Rows of a piece: a power of two, so that chunks are whole pieces, of no more than `budget` bytes if eight rows are not more.
MVN_FN constexpr int pieceRows(int rowBytes, int budget) {
  constexpr int fewest = 8;
  int rows = chunkRows(1 << 10);
  while (rows > fewest && rows * rowBytes > budget) rows /= 2;
  return rows;
}

// What a team's pieces need of its scratch.
struct PieceRing {
  static constexpr int slots = 3;
  int rows, slotBytes;  // of a piece
  char* block;

  MVN_FN PieceRing(Scratch& scratch, int rowBytes, int budget)
      : rows(pieceRows(rowBytes, budget)), slotBytes(roundUp(rows * rowBytes, copyBytes) + copyBytes),
        block(scratch.take<char>(slots * slotBytes)) {}
};

// itemAt(k) are the rows of the list's entry k < size as they lie in memory, fewer than 2³¹; the team has entries first, first + step, …
template <class Row, class ItemAt> class PiecesAhead {
 public:
  const int rows;

  template <class Team>
  MVN_FN PiecesAhead(const Team& team, int d, const PieceRing& ring, ItemAt itemAt, int size, int first, int step)
      : rows(ring.rows), ring_(ring), itemAt_(itemAt), size_(size), entry_(first), step_(step),
        rowBytes_(d * int(sizeof(Row))) {
    next_ = itemOf(entry_);
    following_ = itemOf(entry_ + step_);
    MVN_UNROLL_BY(1) for (int i = 0; i + 1 < PieceRing::slots; ++i) copyNext(team, i * ring_.slotBytes);
  }

  // Where the piece can be read until the next is taken. Pieces are taken in order, none left out.
  template <class Team> MVN_FN RowsOf<Row> take(const Team& team, const RowsOf<Row>& piece) {
    team.template waitForCopies<PieceRing::slots - 2>();
    team.sync();  // of every lane; and the slot that is filled next has been read by all
    copyNext(team, taken_ == 0 ? lastSlot() : taken_ - ring_.slotBytes);
    const char* at = ring_.block + taken_ + skew(piece.x);
    taken_ = taken_ == lastSlot() ? 0 : taken_ + ring_.slotBytes;
    return {reinterpret_cast<const Row*>(at), piece.weights, piece.rows};
  }

 private:
  struct Rows {
    const char* at;
    int rows;
  };

  PieceRing ring_;
  ItemAt itemAt_;
  int size_, entry_, step_, rowBytes_;
  int taken_ = 0;          // where the slot begins that is taken next
  Rows next_, following_;  // what is left of the entry that is copied; the next one, whose place takes as long to come as rows do

  MVN_FN Rows itemOf(int entry) const {
    if (entry >= size_) return {nullptr, 0};
    const RowsOf<Row> rows = itemAt_(entry);
    return {reinterpret_cast<const char*>(rows.x), rows.rows};
  }
  MVN_FN int lastSlot() const { return (PieceRing::slots - 1) * ring_.slotBytes; }
  MVN_FN static int skew(const void* at) { return int(unsigned(reinterpret_cast<unsigned long long>(at)) % copyBytes); }

  template <class Team> MVN_FN void copyNext(const Team& team, int slot) {
    MVN_UNROLL_BY(1) while (next_.rows == 0 && entry_ < size_) {
      entry_ += step_;
      next_ = following_;
      following_ = itemOf(entry_ + step_);
    }
    if (next_.rows > 0) {
      const int some = min(rows, next_.rows), before = skew(next_.at), bytes = before + some * rowBytes_;
      const int whole = bytes / copyBytes * copyBytes;
      const char* from = next_.at - before;
      char* to = ring_.block + slot;
      team.lanes([&](int lane) {
        const int begin = lane * copyBytes, step = team.width * copyBytes;
        const char* at = from + begin;
        char* put = to + begin;
        MVN_UNROLL_BY(4) for (int left = whole - begin; left > 0; left -= step, at += step, put += step) {
          team.copyAhead(put, at);
        }
        if (lane == 0 && whole < bytes) team.copyAhead(to + whole, from + whole, bytes - whole);
      });
      next_.at += some * rowBytes_;
      next_.rows -= some;
    }
    team.closeCopies();
  }
};

}  // namespace mvn
