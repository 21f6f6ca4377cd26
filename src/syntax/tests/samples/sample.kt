package org.example.tasks

import kotlinx.coroutines.flow.Flow
import org.example.store.*

/** How many tasks there are at most. */
const val LIMIT = 10

typealias Id = String

/**
 * A task.
 *
 * It is done or not.
 */
@Serializable
data class Task(
    val id: Id,
    val title: String,
)

interface Store {
    val tasks: Flow<Task>
    suspend fun add(task: Task): Boolean
}

sealed class Result {
    object Done : Result()
    class Failed(val why: String) : Result()
}

class Memory(private val limit: Int = LIMIT) : Store {
    private val held = mutableListOf<Task>()

    override val tasks: Flow<Task>
        get() = held.asFlow().filter { it.title.isNotEmpty() }

    constructor() : this(LIMIT) {
        held.clear()
        println("a memory that holds little")
    }

    override suspend fun add(task: Task): Boolean {
        if (held.size >= limit) return false
        return held.add(task)
    }

    companion object {
        fun empty() = Memory(0)
    }
}

enum class Color(val code: Int) {
    RED(1),
    GREEN(2);

    fun dark() = Color.values()[(code + 1) % Color.values().size].name.lowercase()
}

fun Task.isLong(): Boolean = title.length > 20
