// Vectors in the plane.
#pragma once
#include <vector>

namespace geometry {

using Points = std::vector<double>;

/// A vector.
template <typename T>
class Vector : public Base<T> {
public:
    Vector(T x, T y) : x_(x), y_(y) {}
    virtual ~Vector() = default;

    /// Its length.
    T length() const;
    Vector operator+(const Vector& other) const {
        return Vector(x_ + other.x_, y_ + other.y_);
    }

private:
    T x_{};
    T y_{};
};

template <typename T>
T Vector<T>::length() const
{
    return std::sqrt(x_ * x_ + y_ * y_);
}

enum class Axis : int {
    X,
    Y,
};

struct Line {
    Points points;
    static constexpr int width = 2;
};

void Canvas::draw(const Line& line) {
    for (const auto& point : line.points) {
        plot(point, Line::width);
    }
}

extern "C" {
int plot_all(void);
}

}  // namespace geometry
