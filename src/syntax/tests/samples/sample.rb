# frozen_string_literal: true

require "json"
require_relative "store"

# A garden with beds.
module Garden
  LIMIT = 3

  # A bed of plants.
  #
  # Plants stand in rows.
  class Bed < Base
    include Enumerable
    attr_reader :plants

    validates :name,
              presence: true

    def initialize(plants)
      @plants = plants
    end

    # Yields each plant.
    def each(&block)
      plants.first(LIMIT).each(&block)
      self.class.count(plants.size)
    end

    def self.parse(text)
      new(JSON.parse(text).map { |name| Plant.new(name) })
    end

    class << self
      def count(number)
        @count = (@count || 0) + number
      end
    end
  end
end

namespace :garden do
  task :water do
    Garden::Bed.parse(File.read("beds.json")).each(&:water)
  end
end
